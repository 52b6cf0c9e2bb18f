"""Fills an MLflow server with the trading system's experiments, runs and models.

usage: mlflow_seed.py TRACKING_URI DIRECT_ROOT

Everything goes through MLflow's own client: artifacts of the default experiment
and of usdcop_ppo through the server, those of usdcop_direct straight to
DIRECT_ROOT, an S3 URL.
"""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

MODEL = "usdcop_ppo"


class Policy(mlflow.pyfunc.PythonModel):
    """Holds, whatever the market does."""

    def predict(self, context, model_input, params=None):
        return [0.0] * len(model_input)


def log_artifacts(name: str, sharpe: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "plots").mkdir()
        (root / "metrics.json").write_text(json.dumps({"sharpe": sharpe}))
        (root / "plots" / "equity.csv").write_text("".join(f"{day},{100 + day * sharpe}\n" for day in range(200)))
        (root / "notes.txt").write_text(f"{name}\n")
        mlflow.log_artifacts(folder)


def train(experiment: str, version: int, register: bool) -> None:
    mlflow.set_experiment(experiment)
    name, sharpe = f"ppo_v{version}", 1 + version / 100
    with mlflow.start_run(run_name=name):
        mlflow.log_params({"algorithm": "ppo", "version": version})
        mlflow.log_metric("sharpe", sharpe)
        mlflow.set_tag("stage", "evaluation")
        log_artifacts(name, sharpe)
        mlflow.pyfunc.log_model(
            name="policy",
            python_model=Policy(),
            pip_requirements=["mlflow-skinny"],
            registered_model_name=MODEL if register else None,
        )


def main() -> None:
    uri, direct = sys.argv[1:]
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    client.create_experiment("usdcop_ppo")
    client.create_experiment("usdcop_direct", artifact_location=direct)
    for version in (18, 19, 20):
        train("Default", version, register=True)
    train("usdcop_ppo", 21, register=False)
    train("usdcop_direct", 22, register=False)
    client.set_registered_model_alias(MODEL, "champion", "2")
    client.set_registered_model_alias(MODEL, "challenger", "3")


main()
