'use strict';
// Signed tokens (HS256) as the platform's token manager issues, checks and revokes them, so that an environment can
// prove the login of its edge before it has real code. Redis keeps revoked ones until they would have ended.

const { createHmac, timingSafeEqual } = require('node:crypto');
const { settings } = require('./settings');
const { Link } = require('./link');

const UNITS = { s: 1, m: 60, h: 3600, d: 86400 };
const store = new Link('redis', settings);

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const sign = (text, key) => createHmac('sha256', key).update(text).digest();
const now = () => Math.floor(Date.now() / 1000);
const revoked = (token) => `blacklist:${token}`;

class Refused extends Error {}

function seconds(text) {
  const [, number, unit] = /^(\d{1,6})([smhd])?$/.exec(text) ?? [];
  if (!number) throw new Refused(`expiresIn is "${text}"; write a time such as 5m`);
  return Number(number) * UNITS[unit ?? 's'];
}

/** The claims of a token that one of our keys signed and that has not ended. */
function claims(token) {
  const [head, body, signature] = String(token).split('.');
  const given = Buffer.from(signature ?? '', 'base64url');
  const good = settings.jwtKeys.map((key) => sign(`${head}.${body}`, key))
    .some((own) => own.length === given.length && timingSafeEqual(own, given));
  if (!good) throw new Refused('invalid signature');
  if (decode(head).alg !== 'HS256') throw new Refused('invalid algorithm');
  const found = decode(body);
  if (!(found.exp > now())) throw new Refused('jwt expired');
  return found;
}

async function generate({ userId, payload, expiresIn = '1h' }) {
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({
    userId, ...payload, iat: now(), exp: now() + seconds(expiresIn) })}`;
  return { token: `${text}.${sign(text, settings.jwtKeys[0]).toString('base64url')}` };
}

async function verify({ token }) {
  const decoded = claims(token);
  if (await store.use((client) => client.get(revoked(token)))) throw new Refused('Token revoked');
  return { valid: true, decoded };
}

async function revoke({ token }) {
  const left = claims(token).exp - now();
  await store.use((client) => client.set(revoked(token), 'revoked', { EX: left }));
  return { message: 'Token revoked' };
}

const ACTIONS = { '/tokens/generate': generate, '/tokens/verify': verify, '/tokens/revoke': revoke };

/** [status, answer] of a request to the token manager; undefined where the request is none of its own. */
async function answerToken(method, path, text) {
  const action = settings.service === 'token-mgr' && method === 'POST' && ACTIONS[path];
  if (!action) return undefined;
  try {
    return [200, await action(JSON.parse(text))];
  } catch (error) {
    if (error instanceof Refused || error instanceof SyntaxError) return [401, { valid: false, error: error.message }];
    return [503, { valid: false, error: error.message }];
  }
}

module.exports = { answerToken };
