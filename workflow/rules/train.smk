# Training: from initial weights, and on from the weights of another run, in any precision; and what was observed of it.


rule train:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "train",
            "results/{dataset}/{network}/trained-in-{precision}-by-{recipe}-until-{until}/seed-{seed}/{fingerprint}",
        ),
    log:
        "logs/{dataset}/{network}/trained-in-{precision}-by-{recipe}-until-{until}/seed-{seed}/{fingerprint}.log",
    threads: threads_of
    resources:
        **NEEDED,
        gpu=gpus_of,
    params:
        plan=plan_of,
        runs_per_gpu=RUNS_PER_GPU,
    shell:
        "python workflow/scripts/train.py --plan {params.plan} --log {log} "
        "--runs-per-gpu {params.runs_per_gpu}"


rule continue_training:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "continue_training",
            "results/{lineage}/continued-in-{precision}-by-{recipe}-until-{until}/seed-{seed}/{fingerprint}",
        ),
    log:
        "logs/{lineage}/continued-in-{precision}-by-{recipe}-until-{until}/seed-{seed}/{fingerprint}.log",
    threads: threads_of
    resources:
        **NEEDED,
        gpu=gpus_of,
    params:
        plan=plan_of,
        runs_per_gpu=RUNS_PER_GPU,
    shell:
        "python workflow/scripts/continue_training.py --plan {params.plan} --log {log} "
        "--runs-per-gpu {params.runs_per_gpu}"


rule observe:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "observe",
            "results/{lineage}/observed-every-{every}-for-{format}/seed-{seed}/{fingerprint}",
        ),
    log:
        "logs/{lineage}/observed-every-{every}-for-{format}/seed-{seed}/{fingerprint}.log",
    threads: threads_of
    resources:
        **NEEDED,
        gpu=gpus_of,
    params:
        plan=plan_of,
        runs_per_gpu=RUNS_PER_GPU,
    shell:
        "python workflow/scripts/observe.py --plan {params.plan} --log {log} "
        "--runs-per-gpu {params.runs_per_gpu}"
