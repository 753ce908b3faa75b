# The service, of this checkout: docker build -t regimetry . (see docs/docker.md)
FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml CMakeLists.txt README.md LICENSE /src/
COPY cpp /src/cpp
COPY regimetry /src/regimetry
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /src

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --no-compile "$(echo /wheels/*.whl)[cpu,serve]" && rm -r /wheels
# Nothing is written: the root filesystem may be read-only.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=2)"]
ENTRYPOINT ["regimetry", "serve"]
CMD ["/models/model.onnx", "--host", "0.0.0.0", "--allow-remote", "--port", "8000"]
