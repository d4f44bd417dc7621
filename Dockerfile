# A worker that runs the flows: docker build -t medloop . ; see docs/operations.md.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    MEDLOOP_HOME=/srv/medloop \
    PREFECT_HOME=/srv/medloop/prefect \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1

WORKDIR /opt/medloop

# The dependencies first: they change seldom. torch comes as its CPU build; take this line out for CUDA.
COPY pyproject.toml constraints.txt ./
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --disable-pip-version-check -c constraints.txt --extra-index-url "${TORCH_INDEX}" torch

COPY . .
RUN pip install --disable-pip-version-check -c constraints.txt -e '.[all]' \
    && useradd --create-home --uid 10001 medloop \
    && install -d -o medloop /srv/medloop

USER 10001
VOLUME /srv/medloop
ENTRYPOINT ["medloop"]
CMD ["pipeline", "run", "configs/starter.en-pt.yaml"]
