'use strict';
// One JSON object per line, with the fields and levels of the platform (handoff docs, operations.yaml: logging).

const { settings } = require('./settings');

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'];
const least = Math.max(0, LEVELS.indexOf(settings.logLevel));

function write(level, message, fields) {
  const line = { timestamp: new Date().toISOString(), level, service: settings.service, message, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

module.exports.log = Object.fromEntries(
  LEVELS.map((level, rank) => [level, rank < least ? () => {} : (message, fields) => write(level, message, fields)]),
);
