'use strict';
// The reference service: keeps the platform's contract for any service that has no code of its own, so that
// routing, credentials, stores and dependencies of an environment are proven before real code is laid down.
// It holds no business logic and no state, and it does nothing while nobody asks. In place of the token manager it
// issues and checks tokens, so that the login of the edge is proven, too.

const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { settings } = require('./lib/settings');
const { log } = require('./lib/log');
const { faults } = require('./lib/fault');
const { metrics } = require('./lib/metrics');
const { readiness } = require('./lib/readiness');
const { answerToken } = require('./lib/token');
const { upgrade, closeSockets } = require('./lib/socket');

const QUIET = new Set(['/health', '/health/live', '/health/ready', '/metrics']); // asked all the time: not logged
const KEPT_BYTES = 16_384; // of a request's body
const STOP_LIMIT_MS = 10_000; // for requests and sockets that are still open at SIGTERM

let stopping = false;

function send(response, status, body, type = 'application/json') {
  const text = type === 'application/json' ? `${JSON.stringify(body)}\n` : body;
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' };
  if (stopping) headers.connection = 'close';
  response.writeHead(status, headers);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** The length of the body, and the text of its beginning: all of it where it is short. */
async function readBody(request) {
  let length = 0;
  const kept = [];
  for await (const chunk of request) {
    if (length < KEPT_BYTES) kept.push(chunk);
    length += chunk.length;
  }
  return { length, text: Buffer.concat(kept).toString() };
}

function handshake(request) {
  if (!settings.handshake) return undefined;
  const given = request.headers['x-n3xus-handshake'];
  if (given === undefined) return 'absent';
  return given === settings.handshake ? 'valid' : 'wrong';
}

/** Everything that is not an endpoint of the contract: says who answered what, so that routes can be proven. */
async function echo(request, response, path) {
  const { length, text } = await readBody(request);
  const answered = await answerToken(request.method, path, text);
  if (answered) return send(response, ...answered);
  // a login that any service could confirm would be none
  if (request.headers['x-nexus-login']) return send(response, 501, { error: 'this service checks no tokens' });
  const failing = faults.failsNow();
  return send(response, failing ? 500 : 200, {
    service: settings.service,
    release: settings.release,
    method: request.method,
    path,
    query: request.url.split('?')[1] ?? '',
    requestId: request.id,
    bodyLength: length,
    clientAddress: request.headers['x-real-ip'],
    apiVersion: request.headers['x-api-version'],
    user: request.headers['x-user-id'],
    handshake: handshake(request),
    ...(failing && { error: 'fault "error" is on' }),
  });
}

async function answer(request, response, path) {
  const identity = { service: settings.service, release: settings.release };
  switch (path) {
    case '/health':
    case '/health/live':
      return send(response, 200, { status: 'ok', ...identity, uptimeSeconds: Math.round(process.uptime()) });
    case '/health/ready': {
      const found = stopping ? { ready: false, reasons: ['stopping'] } : await readiness();
      return send(response, found.ready ? 200 : 503, {
        status: found.ready ? 'ready' : 'not ready', ...identity, ...found });
    }
    case '/metrics':
      return send(response, 200, metrics.text(), 'text/plain; version=0.0.4; charset=utf-8');
    default:
      return echo(request, response, path);
  }
}

function handle(request, response) {
  const started = process.hrtime.bigint();
  const path = request.url.split('?', 1)[0];
  request.id = request.headers['x-request-id'] ?? randomUUID();
  response.setHeader('x-request-id', request.id);
  response.on('close', () => {
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    const status = response.writableFinished ? response.statusCode : 499; // 499: the client went away
    metrics.count(request.method, status, seconds);
    if (!QUIET.has(path)) {
      log.info(`${request.method} ${path}`, { requestId: request.id, statusCode: status,
        duration: Math.round(seconds * 1e6) / 1e3 });
    }
  });
  faults.leak();
  answer(request, response, path).catch((error) => {
    log.error(error.message, { requestId: request.id });
    if (!response.headersSent) send(response, 500, { error: 'internal error', requestId: request.id });
  });
}

function stop(server) {
  if (stopping) return;
  stopping = true;
  log.info('stopping: no new connections, finishing requests');
  const limit = setTimeout(() => {
    log.warn(`what still runs after ${STOP_LIMIT_MS} ms is dropped`);
    process.exit(0);
  }, STOP_LIMIT_MS);
  server.close(() => {
    clearTimeout(limit);
    log.info('stopped');
    process.exit(0);
  });
  closeSockets();
  server.closeIdleConnections();
}

if (faults.refusesToStart) {
  log.fatal('fault "start" is on: not starting');
  process.exit(70);
}
// The router keeps idle connections for up to a minute: the side that closes first must not be this one.
const server = http.createServer({ keepAliveTimeout: 75_000, connectionsCheckingInterval: 60_000 }, handle);
server.on('upgrade', upgrade);
server.on('error', (error) => {
  log.fatal(`cannot listen on port ${settings.port}: ${error.message}`);
  process.exit(1);
});
process.on('SIGTERM', () => stop(server));
process.on('SIGINT', () => stop(server));
server.listen(settings.port, () => log.info(`listening on port ${settings.port}`, { release: settings.release }));
