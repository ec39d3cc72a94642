'use strict';
// Faults on purpose, so that release gates can be tried: FAULT is a comma list of
//   error=PERCENT  that share of requests answers 500      unready     readiness never comes
//   leak=BYTES     kept on the heap at each request        start       the process ends at once

const { settings } = require('./settings');

const on = new Map(settings.fault.split(',').filter(Boolean).map((part) => part.split('=')));
const kept = [];
let requests = 0;

module.exports.faults = {
  refusesToStart: on.has('start'),
  unready: on.has('unready'),

  /** Spread evenly instead of drawn by chance, so that a test knows what to expect. */
  failsNow() {
    const percent = Number(on.get('error') ?? 0);
    requests += 1;
    return Math.floor((requests * percent) / 100) > Math.floor(((requests - 1) * percent) / 100);
  },

  leak() {
    if (on.has('leak')) kept.push(new Array(Math.ceil(Number(on.get('leak')) / 8)).fill(requests + 0.5));
  },
};
