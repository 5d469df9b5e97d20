# Evaluation: of one run from its saved logits, then of all runs of a study together.


rule evaluate:
    input:
        ancient(parents_of),
    output:
        outputs_of("evaluate", "results/{lineage}/evaluated/seed-{seed}/{fingerprint}"),
    params:
        plan=plan_of,
    log:
        "logs/{lineage}/evaluated/seed-{seed}/{fingerprint}.log",
    shell:
        "python workflow/scripts/evaluate.py --plan {params.plan} --log {log}"


rule summarize:
    input:
        ancient(parents_of),
    output:
        outputs_of("summarize", "results/{study}/summarized/{fingerprint}"),
    params:
        plan=plan_of,
    log:
        "logs/{study}/summarized/{fingerprint}.log",
    shell:
        "python workflow/scripts/summarize.py --plan {params.plan} --log {log}"
