FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY .config ./.config
COPY src ./src
RUN npm run build

FROM node:26-slim
# Beyond loopback the service starts only with a CAMPAIGND_TOKENS_FILE, or with CAMPAIGND_ALLOW_ANONYMOUS=true: whoever runs the
# container gives one of them, and says by the latter that everybody who reaches the port may do anything. It works on a
# read-only root file system.
ENV NODE_ENV=production CAMPAIGND_HOST=0.0.0.0 CAMPAIGND_PORT=8080 CAMPAIGND_DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist ./dist
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
USER node
EXPOSE 8080
# A start may have to outwait the lock of a container that was killed: some 13 seconds.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.CAMPAIGND_PORT + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
