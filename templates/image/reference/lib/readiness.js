'use strict';
// Ready means: every store and every direct dependency answered just now. Asked on demand only, one question at
// a time, and remembered for a moment, so that many askers cost no more than one. Dependencies are asked for
// their liveness alone: asking for their readiness would let one failing store take down everything above it.

const http = require('node:http');
const { settings } = require('./settings');
const { faults } = require('./fault');
const { Link } = require('./link');

const REMEMBER_MS = 2_000;
const REMEMBER_FAILED_MS = 500; // somebody may wait for it to become ready
const DEPENDENCY_LIMIT_MS = 2_000;

const links = settings.stores.map((name) => new Link(name, settings));
let last;
let pending;

function dependencyAnswers(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false, timeout: DEPENDENCY_LIMIT_MS }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`answers ${response.statusCode}`));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${DEPENDENCY_LIMIT_MS} ms`)));
    request.on('error', reject);
  });
}

async function check(name, ask) {
  const started = Date.now();
  try {
    await ask();
    return [name, { status: 'ok', milliseconds: Date.now() - started }];
  } catch (error) {
    // An AggregateError (several addresses tried) has no message of its own.
    return [name, { status: 'failed', error: error.message || error.errors?.[0]?.message || error.code || 'unknown' }];
  }
}

async function compute() {
  const stores = Promise.all(links.map((link) => check(link.name, () => link.ask())));
  const dependencies = Promise.all(
    settings.dependencies.map(({ name, url }) => check(name, () => dependencyAnswers(url))));
  const found = { stores: Object.fromEntries(await stores), dependencies: Object.fromEntries(await dependencies) };
  const reasons = Object.values(found).flatMap(Object.entries)
    .filter(([, result]) => result.status !== 'ok').map(([name, result]) => `${name}: ${result.error}`);
  if (faults.unready) reasons.push('fault "unready" is on');
  for (const name of settings.storesAbsent) found.stores[name] = { status: 'absent' };
  return { ready: reasons.length === 0, reasons, absent: settings.storesAbsent, ...found };
}

/** {ready, reasons, absent, stores, dependencies}; a store that the environment lacks is named, not waited for. */
function readiness() {
  if (last && Date.now() - last.at < (last.found.ready ? REMEMBER_MS : REMEMBER_FAILED_MS)) return last.found;
  pending ??= compute().then((found) => {
    last = { at: Date.now(), found };
    return found;
  }).finally(() => { pending = undefined; });
  return pending;
}

module.exports = { readiness };
