# Answers for trained runs over HTTP, without torch: classifiers and regressors of texts and series with a built-in cell.
#
#     docker build -f packaging/serve.Dockerfile -t gatework-serve .
#     docker run --read-only --tmpfs /tmp -p 8000:8000 -v "$PWD/runs:/runs:ro" -v "$PWD/keys.txt:/keys.txt:ro" \
#         gatework-serve reviews=/runs/reviews
#
# What needs torch (the other tasks, cells of your own, options around a cell): packaging/train.Dockerfile serves too.
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# What a served run imports, and nothing else of what the package can use.
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-deps /wheels/*.whl && \
    pip install --no-cache-dir --only-binary :all: \
        "numpy>=1.26" "safetensors>=0.4" "typer>=0.15" "polars>=1.35" "narwhals>=1.25" "tokenizers>=0.20" \
        "babel>=2.12" "charset-normalizer>=3.3" "filelock>=3.21" "platformdirs>=4.0" "threadpoolctl>=3.1" "tomli-w>=1.0" \
        "scikit-learn>=1.5" "scipy>=1.11" "rich>=13.7" "jinja2>=3.1" \
        "starlette>=0.40" "msgspec>=0.18" "uvicorn>=0.54" "httptools>=0.6" "uvloop>=0.19" "websockets>=13"
RUN useradd --system --uid 10001 --no-create-home gatework
USER 10001
ENV PYTHONDONTWRITEBYTECODE=1 GATEWORK_CACHE=/tmp/gatework
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["gatework", "serve", "--host", "0.0.0.0", "--port", "8000", "--api-key-file", "/keys.txt"]
