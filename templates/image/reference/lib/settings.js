'use strict';
// What the environment says, read once. Names are the platform's contract; a wrong value stops the start.

const list = (text) => (text ?? '').split(',').map((part) => part.trim()).filter(Boolean);

function port(text) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 65536) return value;
  console.error(JSON.stringify({ level: 'fatal', message: `PORT is "${text ?? ''}"; it must be a number from 1 to 65535` }));
  return process.exit(78);
}

/** "name=http://name:3001/health,..." as [{name, url}]. */
function dependencies(text) {
  return list(text).map((part) => {
    const at = part.indexOf('=');
    return { name: part.slice(0, at), url: part.slice(at + 1) };
  });
}

const env = process.env;

module.exports.settings = Object.freeze({
  service: env.SERVICE_NAME ?? 'reference',
  release: env.RELEASE ?? 'unknown',
  port: port(env.PORT),
  logLevel: env.LOG_LEVEL ?? 'info',
  stores: list(env.STORES),
  storesAbsent: list(env.STORES_ABSENT),
  dependencies: dependencies(env.DEPENDS_ON),
  handshake: env.N3XUS_HANDSHAKE,
  // the first one signs; during a rotation, tokens that the other one signed are good, too
  jwtKeys: [...new Set([env.JWT_SECRET, ...list(env.JWT_SECRETS_ACCEPTED)])].filter(Boolean),
  redisKeyPrefix: env.REDIS_KEY_PREFIX ?? `${env.SERVICE_NAME}:`,
  urls: {
    postgresql: env.DATABASE_URL,
    redis: env.REDIS_URL,
    rabbitmq: env.RABBITMQ_URL,
    mongodb: env.MONGODB_URL,
    'object-storage': env.S3_ENDPOINT,
  },
  bucket: {
    name: env.S3_BUCKET,
    region: env.S3_REGION,
    key: env.AWS_ACCESS_KEY_ID,
    secret: env.AWS_SECRET_ACCESS_KEY,
  },
  fault: env.FAULT ?? '',
});
