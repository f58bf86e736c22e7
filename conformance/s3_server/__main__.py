"""Run moto's S3 with a bucket, `spool`, and a key that may use it: `python -m conformance.s3_server`.

Prints its URL and the key's id and secret, and stops when stdin closes. Signatures are checked, by the
arithmetic of botocore; the requests that set it up are exempt.
"""

import json
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

BUCKET, REGION = "spool", "eu-central-1"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


def main() -> None:
    """Set up, serve."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    key = set_up(url)
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    print(f"Ready: {url} {key['AccessKeyId']} {key['SecretAccessKey']}", flush=True)
    sys.stdin.read()
    server.stop()


def set_up(url: str) -> dict[str, str]:
    """Make the bucket, and a user who may use it; return the user's key."""
    told = {"endpoint_url": url, "region_name": REGION}
    secrets = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    iam, s3 = boto3.client("iam", **told, **secrets), boto3.client("s3", **told, **secrets)
    iam.create_user(UserName="bridge")
    iam.put_user_policy(UserName="bridge", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    key: dict[str, str] = iam.create_access_key(UserName="bridge")["AccessKey"]
    return key


if __name__ == "__main__":
    main()
