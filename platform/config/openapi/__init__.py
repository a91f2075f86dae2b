"""The OpenAPI document: what Ninja derives from the routes, completed by what only we know.

`problems` has every problem and when it comes, `documented` is what each app says of its routes
(in its `api/examples.py`), `shapes` is how problems are worded, `document` puts them together and
`api` is Ninja's API with that document.
"""
