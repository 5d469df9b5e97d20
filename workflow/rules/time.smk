# Time: two arms of a network in turns, alone. The script is named so that Python still finds its own module `time`.


rule time:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "time",
            "results/{dataset}/{network}/timed-in-{arm}/against-{reference}/{fingerprint}",
        ),
    log:
        "logs/{dataset}/{network}/timed-in-{arm}/against-{reference}/{fingerprint}.log",
    wildcard_constraints:
        arm=r"[^/]+",
        reference=r"[^/]+",
    # All that this call has, so that nothing runs beside it; other calls are kept away by a lock.
    threads: workflow.resource_settings.cores or threads_of
    resources:
        **NEEDED,
        gpu=workflow.global_resources.get("gpu").value or 0,
    params:
        plan=plan_of,
        runs_per_gpu=RUNS_PER_GPU,
    shell:
        "python workflow/scripts/measure_time.py --plan {params.plan} --log {log} "
        "--runs-per-gpu {params.runs_per_gpu}"
