"""What follows from `contracts.administrator_api.deprecations`: headers, flags, a page, and when something may go.

`rules` is pure; `headers` puts them on answers; `document` flags the OpenAPI document, and says what is served;
`page` writes docs/deprecated.md, `record` what a release served.
"""
