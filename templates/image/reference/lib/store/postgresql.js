'use strict';
// PostgreSQL: a log-in over verified TLS and one query.

const { Client } = require('pg');

module.exports = {
  async open(text) {
    const url = new URL(text);
    const client = new Client({
      host: url.hostname,
      port: Number(url.port || 5432),
      database: url.pathname.slice(1),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      // Named here, since an address (unlike a host name) is otherwise not what the certificate is compared with.
      ssl: url.searchParams.get('sslmode') === 'disable' ? false : { host: url.hostname },
      connectionTimeoutMillis: 4_000,
      query_timeout: 4_000,
      application_name: process.env.SERVICE_NAME,
    });
    client.on('error', () => {}); // a lost connection shows at the next question
    await client.connect();
    return client;
  },
  check: (client) => client.query('select 1'),
  close: (client) => client.end(),
};
