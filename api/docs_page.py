"""The contract as one page: no script, nothing from elsewhere, so that it reads on any network."""

from typing import Any

from jinja2 import Environment

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ info.title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-bottom: 1px solid #bbb; text-transform: capitalize; }
details { margin: .4rem 0; } summary { cursor: pointer; }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: #f3f3f3; padding: 0 .2rem; }
pre { padding: .6rem; overflow: auto; }
.method { display: inline-block; width: 4.5rem; font-weight: bold; }
table { border-collapse: collapse; } td { padding: .1rem .8rem .1rem 0; vertical-align: top; }
</style>
<h1>{{ info.title }} <small>{{ info.version }}</small></h1>
<p>{{ info.description }}</p>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a></p>
{% for tag, operations in groups.items() %}
<h2>{{ tag }}</h2>
{% for operation in operations %}
<details id="{{ operation.operationId }}">
<summary><span class="method">{{ operation.method }}</span><code>{{ operation.path }}</code>
 {{ operation.summary }}</summary>
<p>{{ operation.description }}</p>
{% if operation.parameters %}
<table>
{% for parameter in operation.parameters %}
<tr><td><code>{{ parameter.name }}</code></td>
<td>{{ parameter.in }}{{ ", required" if parameter.required }}</td>
<td>{{ parameter.description }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if operation.body %}<p>Body</p><pre>{{ operation.body | tojson(indent=2) }}</pre>{% endif %}
<table>
{% for status, response in operation.responses.items() %}
<tr><td>{{ status }}</td><td>{{ response.description }}</td></tr>
{% endfor %}
</table>
</details>
{% endfor %}
{% endfor %}
</html>
"""
)


def render_page(document: dict[str, Any]) -> str:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["other"])[0]
            body = _body_schema(operation, document)
            groups.setdefault(tag, []).append(
                {**operation, "method": method.upper(), "path": path, "body": body}
            )
    return _PAGE.render(info=document["info"], groups=groups)


def _body_schema(operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    schema: dict[str, Any] = document["components"]["schemas"].get(name, content["schema"])
    return schema
