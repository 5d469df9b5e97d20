# Datasets: download once, prepare once into one deterministic file.


rule fetch:
    output:
        "data/fetched/{dataset}/{file}",
    log:
        "logs/fetched/{dataset}/{file}.log",
    shell:
        "python workflow/scripts/fetch.py --dataset {wildcards.dataset} --output {output:q} --log {log:q}"


rule prepare:
    input:
        ancient(parents_of),
    output:
        outputs_of("prepare", "data/prepared/{dataset}/{fingerprint}"),
    log:
        "logs/prepared/{dataset}/{fingerprint}.log",
    resources:
        **NEEDED,
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/prepare.py --plan {params.plan} --log {log}"
