package runbooks_test

import "testing"

var modelTrials = []trial{
	{
		runbook: "mlflow_to_minio", scenario: "mlflow-artifacts-lost", rooms: []string{"mlflow"},
		planned: map[string]string{"artifacts[*]": "3 run", "models[*]": "3 run (tentative)", "champion": "run (tentative)"},
		look:    modelsLoad,
	},
	{
		runbook: "mlflow_to_minio", scenario: "mlflow-artifact-not-found", rooms: []string{"mlflow"},
		planned: map[string]string{"artifacts[*]": "1 run", "champion": "run (tentative)"},
		look:    modelsLoad,
	},
	{
		runbook: "mlflow_to_minio", scenario: "mlflow-model-unloadable", rooms: []string{"mlflow"},
		planned: map[string]string{"models[*]": "1 run", "champion": "run (tentative)"},
		look:    modelsLoad,
	},
}

// modelsLoad has MLflow's own client download the artifacts of each run, and load
// and ask the model that inference uses.
func modelsLoad(t *testing.T) {
	t.Helper()
	scratch(t, t.TempDir(), []string{
		"PYTHONWARNINGS=ignore", "MLFLOW_DISABLE_TELEMETRY=true",
		"MLFLOW_S3_ENDPOINT_URL=" + shared.values["MINIO_ENDPOINT"], "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + shared.values["MINIO_ACCESS_KEY"], "AWS_SECRET_ACCESS_KEY=" + shared.values["MINIO_SECRET_KEY"],
	}, shared.values["LAB_MLFLOW_PYTHON"], "-c", `
import mlflow, pathlib, tempfile
from mlflow.tracking import MlflowClient

client = MlflowClient()
runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
assert len(runs) == 5, runs
for run in runs:
    with tempfile.TemporaryDirectory() as folder:
        mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=folder)
        names = sorted(str(p.relative_to(folder)) for p in pathlib.Path(folder).rglob("*") if p.is_file())
        assert names == ["metrics.json", "notes.txt", "plots/equity.csv"], (run.info.run_id, names)
model = mlflow.artifacts.download_artifacts(artifact_uri="models:/usdcop_ppo@champion", dst_path=tempfile.mkdtemp(dir="."))
assert mlflow.models.Model.load(model).flavors["python_function"], model
import cloudpickle
with open(pathlib.Path(model, "python_model.pkl"), "rb") as f:
    assert cloudpickle.load(f).predict(None, [1, 2]) == [0.0, 0.0]
`)
}
