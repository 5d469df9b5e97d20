# Sixteen: 16-bit training, reproduced. This file is the table of contents; params.yaml says what is to be
# made, workflow/rules/ how, and the path of every file under results/ says how it came to be.


include: "workflow/rules/common.smk"


report: "workflow/report/workflow.rst"


# Under a batch system these take seconds where Snakemake itself runs: a job each would take longer.
localrules:
    fetch,
    quantize,
    evaluate,
    publish,
    index,
    join,


rule all:
    input:
        published("all"),


rule demo:
    input:
        published("demo"),


rule demos:
    input:
        published("demos"),


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/time.smk"
include: "workflow/rules/quantize.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


onstart:
    # Snakemake starts at most 100 jobs a second by default, for which it wakes once a second more after each job that has
    # ended: after some hundreds of jobs it does little else. A limit that the caller sets stays.
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    from sixteen.reporting.outcome import outcome

    for job in workflow.dag.jobs:
        # With `--until` there are jobs that weren't asked for.
        if job.rule.name == "publish" and Path(job.output[0]).exists():
            logger.info(outcome(Path("reports") / job.wildcards.study))
