"""Where support signs in to read the Temporal UI: one field, and what to set there once."""

import base64
from hashlib import sha256

from jinja2 import Environment

_SCRIPT = """
document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.querySelector("#token").value.trim();
  const said = document.querySelector("output");
  const answer = await fetch("/codec/session", {
    method: "POST",
    headers: { Authorization: "Bearer " + token },
  }).catch(() => null);
  if (answer && answer.ok) {
    said.textContent = "Signed in. The Temporal UI is readable until the token runs out.";
    event.target.reset();
  } else if (answer) {
    const problem = await answer.json();
    said.textContent = "Not signed in: " + (problem.detail || problem.title);
  } else {
    said.textContent = "The gateway does not answer.";
  }
});
"""

_DIGEST = base64.b64encode(sha256(_SCRIPT.encode()).digest()).decode()
PAGE_POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

_PAGE = Environment(autoescape=True).from_string(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Read the Temporal UI</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
textarea { width: 100%; box-sizing: border-box; font: 14px/1.4 ui-monospace, monospace; }
code { font: 14px/1.4 ui-monospace, monospace; background: #f3f3f3; padding: 0 .2rem; }
output { display: block; margin: .6rem 0; font-weight: bold; }
</style>
<h1>Read the Temporal UI</h1>
<p>Histories are encrypted. Support and admin read them in plain words with a session in this browser.</p>
<form>
<label for="token">Access token of support or admin</label>
<textarea id="token" rows="4" required autocomplete="off" spellcheck="false"></textarea>
<button>Sign in</button>
<output role="status"></output>
</form>
<h2>Once per browser</h2>
<ol>
<li>Open the <a href="{{ ui }}">Temporal UI</a> and press the glasses at the top right.</li>
<li>Choose “Use my browser setting and ignore Cluster-level setting.”</li>
<li>Endpoint: <code>{{ endpoint }}</code></li>
<li>Switch “Include cross-origin credentials” on, then Apply.</li>
</ol>
<script>{{ script | safe }}</script>
</html>
"""
)


def render_page(ui: str, endpoint: str) -> str:
    return _PAGE.render(ui=ui, endpoint=endpoint, script=_SCRIPT)
