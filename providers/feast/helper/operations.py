"""What can be asked."""

from feasthelper import definitions, materialize, online, probes
from feasthelper.store import Repository


def _purge(question):
    repository = Repository(question)
    view = repository.view(question.args["feature_view"])
    return {"keys": online.purge(question, repository, view, question.args.get("limit_keys"))}


OPERATIONS = {
    "registry": probes.registry,
    "freshness": probes.freshness,
    "sync": probes.sync,
    "online_features": probes.online_features,
    "online_keys": probes.online_keys,
    "plan": definitions.plan,
    "apply": definitions.apply,
    "preview_materialize": materialize.preview,
    "materialize": materialize.run,
    "purge": _purge,
}
