"""A stand-in for the trading system's inference API, which is not part of this repository.

It does what the real one does on the way to an answer: it reads the features of a
symbol from the online store, through Feast, and asks MLflow's artifact store for the
model that the alias champion stands for. The position itself is made up, from the
features alone.

usage: inference.py PORT FEATURE_REPO MLFLOW_URI MODEL
"""

import json
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from feast import FeatureStore

FEATURES = ["rsi_9", "log_ret_5m", "log_ret_1h", "atr_pct_9"]


class Unready(Exception):
    """There is no answer now; it says why."""


def asked(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.read()


def champion(mlflow: str, model: str) -> str:
    """The version that the alias stands for, whose MLmodel must be there."""
    try:
        query = urllib.parse.urlencode({"name": model, "alias": "champion"})
        version = json.loads(asked(f"{mlflow}/api/2.0/mlflow/registered-models/alias?{query}"))["model_version"]
        logged = version["source"].removeprefix("models:/")
        found = json.loads(asked(f"{mlflow}/api/2.0/mlflow/logged-models/{logged}/artifacts/directories"))
    except OSError as failure:
        raise Unready(f"the model cannot be loaded: {failure}") from failure
    if "MLmodel" not in [file["path"].rsplit("/")[-1] for file in found.get("files", [])]:
        raise Unready(f"the model {model} version {version['version']} has no MLmodel")
    return version["version"]


def features(repo: str, symbol: str) -> dict:
    # A store of its own for each question: nothing is remembered from before.
    names = [f"technical_features:{name}" for name in FEATURES]
    try:
        found = FeatureStore(repo).get_online_features(features=names, entity_rows=[{"symbol": symbol}]).to_dict()
    except Exception as failure:  # Feast's are of many kinds
        raise Unready(f"there are no features: {failure}") from failure
    values = {name: found[name][0] for name in FEATURES}
    if None in values.values():
        raise Unready(f"there are no features of {symbol}")
    return values


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        symbol = urllib.parse.parse_qs(url.query).get("symbol", ["USDCOP"])[0]
        try:
            if url.path == "/health":  # like many: the process is there, and that is all
                self.answer(200, {"status": "ok"})
            elif url.path == "/predict":
                version, values = champion(*self.server.model), features(self.server.repo, symbol)
                position = max(-1.0, min(1.0, (50 - values["rsi_9"]) / 50))
                self.answer(200, {"symbol": symbol, "position": position, "model_version": version, "features": values})
            else:
                self.answer(404, {"error": "there is /health and /predict"})
        except Unready as why:
            self.answer(503, {"error": str(why)})

    def answer(self, status: int, body: dict) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    port, repo, mlflow, model = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.repo, server.model = repo, (mlflow, model)
    server.serve_forever()


main()
