# Evaluation: of one run from its saved predictions, then of all runs of a study together.


rule evaluate:
    input:
        ancient(parents_of),
    output:
        outputs_of("evaluate", "results/{lineage}/evaluated/seed-{seed}/{fingerprint}"),
    log:
        "logs/{lineage}/evaluated/seed-{seed}/{fingerprint}.log",
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/evaluate.py --plan {params.plan} --log {log}"


rule summarize:
    input:
        ancient(parents_of),
    output:
        outputs_of("summarize", "results/{study}/summarized/{fingerprint}"),
    log:
        "logs/{study}/summarized/{fingerprint}.log",
    resources:
        **NEEDED,
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/summarize.py --plan {params.plan} --log {log}"
