# Reports: rendered once per fingerprint, published under the stable names that people open.


rule report:
    input:
        ancient(parents_of),
    output:
        [name for name in outputs_of("report", REPORTED) if name != PAGE],
        # The rendered page, not the published one, which isn't an output: publication swaps whole folders.
        page=report(
            PAGE,
            caption="../report/study.rst",
            category=title_of,
            labels=labels_of,
        ),
    log:
        "logs/{study}/summarized/reported/{fingerprint}.log",
    resources:
        **NEEDED,
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/report.py --plan {params.plan} --log {log}"


rule publish:
    input:
        ancient("results/{study}/summarized/reported/{fingerprint}/record.json"),
    output:
        "reports/{study}/manifest-{fingerprint}.json",
    log:
        "logs/{study}/published/{fingerprint}.log",
    shell:
        "python workflow/scripts/publish.py --reported $(dirname {input}) --study {wildcards.study} --log {log}"


# Publication lists a report at once; this makes the list again where it is gone.
rule index:
    output:
        "reports/index.html",
    log:
        "logs/index.log",
    shell:
        "python workflow/scripts/index.py --log {log}"


# Publication writes this page anew as well, once it is there.
ruleorder: join > publish


rule join:
    output:
        "reports/questions/manifest-{fingerprint}.json",
    log:
        "logs/questions/joined/{fingerprint}.log",
    params:
        plan=plan_of,
    shell:
        "python workflow/scripts/join.py --plan {params.plan} --log {log}"


# Every study is a target by its own name, and so is what params.yaml lists besides those of the Snakefile.
for target in sorted({*PARAMETERS.studies, *PARAMETERS.targets} - set(TARGETS)) if PLAN else []:

    rule:
        name:
            target
        input:
            published(target),
