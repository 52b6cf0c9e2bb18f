"""Rebuilds the Feast registry and online store from nothing.

usage: feast_rebuild.py REPO REDIS_HOST:PORT END

Afterwards they are what `feast apply` and one `feast materialize` that ended
at END leave behind. Keys that are not Feast's stay as they are.
"""

import sys
from datetime import datetime
from pathlib import Path

import redis


def main() -> None:
    repo, address, end_text = sys.argv[1:]
    end = datetime.fromisoformat(end_text)

    Path(repo, "data", "registry.db").unlink(missing_ok=True)
    host, port = address.split(":")
    online = redis.Redis(host=host, port=int(port))
    for key in online.scan_iter(b"*symbol*usdcop"):
        online.delete(key)

    # Feast takes seconds to import: only now, when it is needed.
    from feast import FeatureStore
    from feast.repo_operations import apply_total

    sys.path.insert(0, repo)
    store = FeatureStore(repo_path=repo)
    apply_total(store.config, Path(repo), skip_source_validation=False)
    view = store.get_feature_view("technical_features")
    store.materialize(start_date=end - view.ttl, end_date=end)


main()
