'use strict';
// Redis: a log-in over verified TLS, then a key below the service's own prefix written and read back.

const { createClient } = require('@redis/client');

module.exports = {
  async open(url) {
    const client = createClient({
      url,
      disableClientInfo: true,
      disableOfflineQueue: true,
      socket: { connectTimeout: 4_000, reconnectStrategy: false },
    });
    client.on('error', () => {}); // a lost connection shows at the next question
    await client.connect();
    return client;
  },
  async check(client, { redisKeyPrefix }) {
    const key = `${redisKeyPrefix}reference-service`;
    const value = String(Date.now());
    await client.ping();
    await client.set(key, value, { EX: 60 });
    // Another replica may have written in between: that it reads at all is what counts.
    if ((await client.get(key)) === null) throw new Error(`key ${key} was written and is not there`);
  },
  async close(client) {
    client.destroy();
  },
};
