'use strict';
// MongoDB: a log-in to the service's own database over verified TLS, and a ping.

const { MongoClient } = require('mongodb');

module.exports = {
  open: (url) => new MongoClient(url, { serverSelectionTimeoutMS: 4_000, maxPoolSize: 1 }).connect(),
  check: (client) => client.db().command({ ping: 1 }),
  close: (client) => client.close(),
};
