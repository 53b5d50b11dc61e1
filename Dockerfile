# One image for the page and for the workers; compose.yaml says who runs what.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    TIERSCOPE_CACHE_DIR=/home/tierscope/.cache/tierscope \
    XDG_STATE_HOME=/home/tierscope/.local/state

RUN useradd --create-home --uid 10001 tierscope
WORKDIR /app

# Requirements first: a change of the sources does not install them again.
COPY requirements.txt ./
RUN pip install -r requirements.txt

COPY app.py ./
COPY tiering ./tiering
COPY assets ./assets
COPY scenarios ./scenarios
COPY policies ./policies

USER tierscope
# Compile once at build time, so that the first run does not wait for it.
RUN python -c "from tiering.simulation.warm import warm_up; warm_up()"

EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8050/', timeout=4)"]
# Inside the container every address is its own. Browsers may call the page by the names of this
# machine only; publish the port to it alone: docker run -p 127.0.0.1:8050:8050 tierscope
CMD ["python", "app.py", "--host", "0.0.0.0", "--allowed-host", "localhost"]
