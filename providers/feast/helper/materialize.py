"""Looks at, runs and proves materializations."""

from feast.feature_view import FeatureViewState
from feast.on_demand_feature_view import OnDemandFeatureView

from feasthelper import offline, online
from feasthelper.main import Cancelled, Refused
from feasthelper.store import (
    WITHOUT_TTL,
    Repository,
    instant,
    now,
    parse,
    state,
    ttl,
    write_whole_registries,
)


def preview(question):
    """The interval of each view, and what it holds."""
    repository = Repository(question)
    views = []
    for plan in _plans(question, repository):
        rows, keys = 0, 0
        if plan["start"] <= plan["end"]:
            rows, keys = offline.count(question, repository, plan["view"], plan["start"], plan["end"])
        views.append({**_told(plan), "rows": rows, "keys": keys})
    return {"views": views, "online": repository.online_url(), "offline": repository.offline_url()}


def run(question):
    """Materializes, and proves it by what the registry says afterwards."""
    repository = Repository(question)
    plans = _plans(question, repository)
    _keep_limits(question, repository, plans)
    offline.reach(question, repository)
    online.reach(question, repository)
    online.patient(repository)
    states = {plan["view"].name: state(plan["view"]) for plan in plans}

    question.touch()
    write_whole_registries()
    repository.thaw()
    counted = _count_writes(question, repository)
    question.stage("materializing")
    try:
        _materialize(question, repository, plans)
    except Cancelled:
        _restore(question, states)
        raise
    _prove(question, plans)
    return {
        "views": [_told(plan) for plan in plans],
        "rows_written": counted["written"] if counted["exact"] else None,
        "rows_offered": counted["offered"],
    }


def _keep_limits(question, repository, plans):
    limits = [(unit, question.args.get(f"limit_{unit}")) for unit in ("rows", "keys")]
    if all(most is None for _, most in limits):
        return
    counts = [offline.count(question, repository, p["view"], p["start"], p["end"]) for p in plans]
    for (unit, most), found in zip(limits, map(sum, zip(*counts))):
        if most is not None and found > most:
            raise Refused("over_limit", f"the intervals hold {found} {unit} of the source, the limit is {most}")


def _materialize(question, repository, plans):
    end = parse(question.args["end"])
    names = [plan["view"].name for plan in plans]
    if question.args["incremental"]:
        repository.store.materialize_incremental(end, feature_views=names)
        return
    for plan in plans:
        repository.store.materialize(plan["start"], end, feature_views=[plan["view"].name])


def _plans(question, repository):
    """Which views, from when to when: the same as Feast would choose."""
    repository.must_exist()
    end, incremental = parse(question.args["end"]), question.args["incremental"]
    names = question.args.get("feature_views")
    views = [repository.view(name) for name in names] if names else [
        view for view in repository.views() if view.online and getattr(view, "enabled", True)
    ]
    if not views:
        raise Refused("nothing_to_materialize", "the registry has no feature view that is served online", "`feast.apply` registers what the repository defines")
    plans = []
    for view in views:
        if isinstance(view, OnDemandFeatureView) or not view.online or not getattr(view, "enabled", True):
            raise Refused("not_online", f"{view.name} is not served online", argument="feature_views")
        watermark = view.most_recent_end_time
        start = question.args.get("start")
        if incremental:
            start = _aware(watermark) if watermark else now() - (ttl(view) or WITHOUT_TTL)
        else:
            start = parse(start) if start else end - (ttl(view) or WITHOUT_TTL)
        plan = {"view": view, "start": start, "end": end, "watermark": watermark}
        if incremental and watermark:
            _refuse_useless(question, repository, plan)
        plans.append(plan)
    return plans


def _refuse_useless(question, repository, plan):
    """Increments that would end well and leave the store as empty as it was."""
    view, watermark = plan["view"], _aware(plan["watermark"])
    full = "use feast.materialize, which does not start at the watermark"
    if watermark > now():
        raise Refused(
            "watermark_in_future",
            f"{view.name} was once materialized until {instant(watermark)}, which is in the future: nothing before it would be read",
            full,
        )
    if watermark > plan["end"]:
        raise Refused(
            "end_before_watermark",
            f"{view.name} is already materialized until {instant(watermark)}; nothing before it would be read",
            full,
            argument="end_time",
        )
    if repository.config.online_store.type != "redis":
        return
    if next(iter(online.held(question, repository, view)), None) is None:
        raise Refused(
            "online_store_empty",
            f"the online store holds nothing of {view.name}, and only rows since {instant(watermark)} would be written",
            full,
        )


def _aware(moment):
    from feast import utils

    return utils.make_tzaware(moment)


def _told(plan):
    return {
        "feature_view": plan["view"].name,
        "start": instant(plan["start"]),
        "end": instant(plan["end"]),
        "watermark": instant(plan["watermark"]),
    }


def _count_writes(question, repository):
    """Counts what is handed to the online store, and how much of it Redis kept:
    it reports each row that it skips by one call, and the rest by a last one."""
    config = repository.config.online_store
    kind = type(repository.store.provider.online_store)
    write = kind.online_write_batch
    counted = {"offered": 0, "written": 0, "exact": config.type == "redis"}

    def counting(self, config, table, data, progress):
        calls = []
        write(self, config, table, data, calls.append)
        skipped = 0 if getattr(config.online_store, "skip_dedup", False) else max(0, len(calls) - 1)
        counted["offered"] += len(data)
        counted["written"] += len(data) - skipped
        question.progress(counted["offered"], f"{table.name}: {counted['offered']} rows")

    kind.online_write_batch = counting
    return counted


def _prove(question, plans):
    """Feast says nothing where an engine's job fails without an error."""
    seen = Repository(question)
    for plan in plans:
        view = seen.view(plan["view"].name)
        end = view.most_recent_end_time
        if end is None or _aware(end) < plan["end"]:
            raise Refused(
                "not_recorded",
                f"Feast ended without an error, but the registry does not say that {view.name} was materialized until {instant(plan['end'])}",
                clean=False,
            )


def _restore(question, states):
    """Feast refuses to serve a view that is MATERIALIZING, and a cancelled run
    leaves it so: back to what it was."""
    repository = Repository(question)
    repository.thaw()
    for name, before in states.items():
        view = repository.view(name)
        if state(view) == FeatureViewState.MATERIALIZING and before != FeatureViewState.MATERIALIZING:
            view.state = before
            repository.registry.apply_feature_view(view, repository.project, commit=True)
