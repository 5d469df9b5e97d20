# Quantization: one cast of every weight, with its error measured against its bound.


rule quantize:
    input:
        ancient(parents_of),
    output:
        outputs_of(
            "quantize", "results/{lineage}/quantized-to-{precision}/seed-{seed}/{fingerprint}"
        ),
    log:
        "logs/{lineage}/quantized-to-{precision}/seed-{seed}/{fingerprint}.log",
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/quantize.py --plan {params.plan} --log {log}"
