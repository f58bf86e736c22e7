"""Who is asking: API keys, OpenID Connect, signed hrefs; and what each may."""
