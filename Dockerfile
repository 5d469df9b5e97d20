# The environment of the lock file, without the project, which jobs read from the shared file system.
#
#     docker build -t sixteen .                                   EXTRA as in the Makefile: --build-arg EXTRA=-gpu
#     apptainer build sixteen.sif docker-daemon://sixteen:latest
#     apptainer exec --nv sixteen.sif snakemake --cores all demo  in the project; --nv for its GPUs
#
# Never built: the machines that this was written on could build no image.
FROM python:3.11-slim-bookworm
ARG EXTRA=""
COPY requirements${EXTRA}.txt /tmp/requirements.txt
RUN python -m venv /opt/sixteen \
 && /opt/sixteen/bin/pip install --no-cache-dir --compile --require-hashes -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt
# git tells records their commit. Apptainer mounts the project at its own place: the package is found from there.
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/sixteen/bin:$PATH PYTHONPATH=src
