# Training: from initial weights, and on from the weights of another run, in any precision.


rule train:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "train",
            "results/{dataset}/{network}/trained-in-{precision}-by-{recipe}/seed-{seed}/{fingerprint}",
        ),
    log:
        "logs/{dataset}/{network}/trained-in-{precision}-by-{recipe}/seed-{seed}/{fingerprint}.log",
    threads: PARAMETERS["threads"] if PLAN else 1
    resources:
        gpu=1,
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/train.py --plan {params.plan} --log {log}"


rule continue_training:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "continue_training",
            "results/{lineage}/continued-in-{precision}-by-{recipe}/seed-{seed}/{fingerprint}",
        ),
    log:
        "logs/{lineage}/continued-in-{precision}-by-{recipe}/seed-{seed}/{fingerprint}.log",
    threads: PARAMETERS["threads"] if PLAN else 1
    resources:
        gpu=1,
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/continue_training.py --plan {params.plan} --log {log}"
