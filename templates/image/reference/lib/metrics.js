'use strict';
// Prometheus text of what this process served. Paths are no labels: anybody can invent them.

const { settings } = require('./settings');

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const served = new Map(); // "METHOD status" -> count
const buckets = new Array(BOUNDS.length).fill(0);
let sum = 0;
let count = 0;

const identity = `service="${settings.service}",release="${settings.release}"`;

function requestLines() {
  return [...served].map(([key, value]) => {
    const [method, status] = key.split(' ');
    return `http_requests_total{${identity},method="${method}",status="${status}"} ${value}`;
  });
}

function durationLines() {
  const name = 'http_request_duration_seconds';
  return [
    ...BOUNDS.map((bound, at) => `${name}_bucket{${identity},le="${bound}"} ${buckets[at]}`),
    `${name}_bucket{${identity},le="+Inf"} ${count}`,
    `${name}_sum{${identity}} ${sum}`,
    `${name}_count{${identity}} ${count}`,
  ];
}

function processLines() {
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total{${identity}} ${(user + system) / 1e6}`,
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes{${identity}} ${memory.rss}`,
    '# TYPE nodejs_heap_size_used_bytes gauge',
    `nodejs_heap_size_used_bytes{${identity}} ${memory.heapUsed}`,
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds{${identity}} ${(Date.now() / 1000 - process.uptime()).toFixed(3)}`,
  ];
}

module.exports.metrics = {
  /** One finished request; `seconds` from its first byte to the end of the answer. */
  count(method, status, seconds) {
    const key = `${METHODS.has(method) ? method : 'other'} ${status}`;
    served.set(key, (served.get(key) ?? 0) + 1);
    BOUNDS.forEach((bound, at) => { if (seconds <= bound) buckets[at] += 1; });
    sum += seconds;
    count += 1;
  },

  text() {
    return [
      '# TYPE http_requests_total counter', ...requestLines(),
      '# TYPE http_request_duration_seconds histogram', ...durationLines(),
      ...processLines(), '',
    ].join('\n');
  },
};
