"""Items as a caller is shown them: how assets are had, in STAC's words, and hrefs signed for who is known."""

from collections.abc import Callable, Iterable

from stacbridge.callers.doors import Doors
from stacbridge.callers.principal import Principal
from stacbridge.callers.signing import PARAMETER, PATH
from stacbridge.model import Json

HOME = "https://stac-extensions.github.io"
AUTHENTICATION = f"{HOME}/authentication/v1.1.0/schema.json"
TIMESTAMPS = f"{HOME}/timestamps/v1.1.0/schema.json"
ALTERNATE = f"{HOME}/alternate-assets/v1.2.0/schema.json"
OIDC, BEARER, BASIC, SIGNED = "bridge-oidc", "bridge-bearer", "bridge-basic", "bridge-signed"


def schemes(doors: Doors, root: str) -> Json:
    """Return the bridge's doors as `auth:schemes` of STAC's authentication extension 1.1.0.

    Bearer is an apiKey in the header Authorization, which STAC Browser can send; `http` with `bearer` not.
    """
    what = "token of the identity provider" if doors.issuer else "API key"
    oidc = {
        "type": "openIdConnect",
        "openIdConnectUrl": f"{(doors.issuer or '').rstrip('/')}/.well-known/openid-configuration",
    }
    return {
        **({OIDC: oidc} if doors.issuer else {}),
        BEARER: {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"The word Bearer, a space, and a {what} of this bridge.",
        },
        BASIC: {
            "type": "http",
            "scheme": "basic",
            "description": f"Any user name, and a {what} of this bridge as the password.",
        },
        SIGNED: {
            "type": "signedUrl",
            "description": f"The href with a parameter {PARAMETER}, for tools that send no headers.",
            "flows": {
                "authorizationCode": {
                    "method": "POST",
                    "authorizationApi": f"{root}/sign",
                    "parameters": {
                        "href": {
                            "in": "body",
                            "required": True,
                            "description": "The href of an asset.",
                            "schema": {"type": "string"},
                        }
                    },
                    "responseField": "href",
                }
            },
        },
    }


def shown(items: Iterable[Json], root: str, doors: Doors, principal: Principal) -> list[Json]:
    """Return Items as `principal` is shown them; those given stay as they are. `root` is the API's URL.

    Their assets must be dicts, not serialised (`ready=False`).
    """
    if not doors.closed:
        return list(items)
    known = schemes(doors, root)
    if doors.signs and principal.known:
        return [signed(item, root, doors, principal, known) for item in items]
    refs, prefix = list(known), f"{root}{PATH}"

    def guarded(asset: Json) -> Json:
        return {**asset, "auth:refs": refs} if asset["href"].startswith(prefix) else asset

    return [_with(item, guarded, known, (AUTHENTICATION,)) for item in items]


def signed(item: Json, root: str, doors: Doors, principal: Principal, known: Json) -> Json:
    """Return an Item with its hrefs signed, when they end, and the unsigned ones as alternates.

    `known` are `schemes(doors, root)`.
    """
    refs, prefix = list(known), f"{root}{PATH}"

    def sign(asset: Json) -> Json:
        if not asset["href"].startswith(prefix):
            return asset
        href, expires = doors.signing.sign(root, asset["href"], principal)
        bare = asset["href"].partition("?")[0]
        plain = {"href": bare, "alternate:name": "With a header", "auth:refs": refs}
        return {
            **asset,
            "href": href,
            "expires": min(expires, asset.get("expires", expires)),
            "auth:refs": [SIGNED],
            "alternate": {**asset.get("alternate", {}), "unsigned": plain},
        }

    return _with(item, sign, known, (AUTHENTICATION, TIMESTAMPS, ALTERNATE))


def _with(item: Json, change: Callable[[Json], Json], known: Json, extensions: Iterable[str]) -> Json:
    properties = item["properties"]
    return {
        **item,
        "stac_extensions": sorted({*item.get("stac_extensions", ()), *extensions}),
        "properties": {**properties, "auth:schemes": {**properties.get("auth:schemes", {}), **known}},
        "assets": {key: change(asset) for key, asset in item["assets"].items()},
    }
