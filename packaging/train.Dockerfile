# Trains, compares, searches, exports and serves, with torch for processors.
#
#     docker build -f packaging/train.Dockerfile -t gatework .
#     docker run --user "$(id -u):$(id -g)" -v "$PWD:/work" gatework train forecast sales.csv --time day --target units --out runs/sales
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
# g++ compiles cells of your own; without it they run as the reference.
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch && \
    pip install --no-cache-dir "$(ls /wheels/*.whl)[export,forecast,plot,search,serve,speech,translate]"
RUN useradd --system --uid 10001 --create-home gatework && mkdir /work && chown gatework /work
USER 10001
ENV HOME=/tmp GATEWORK_CACHE=/tmp/gatework
WORKDIR /work
EXPOSE 8000
ENTRYPOINT ["gatework"]
CMD ["--help"]
