'use strict';
// RabbitMQ: a log-in to the service's own vhost over verified TLS, and a channel opened and closed there.

const amqp = require('amqplib');

process.noDeprecation = true; // amqplib names an address as TLS server name, which Node.js ignores with a warning

module.exports = {
  async open(url) {
    const connection = await amqp.connect(url, { timeout: 4_000 });
    connection.on('error', () => {}); // a lost connection shows at the next question
    return connection;
  },
  async check(connection) {
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    await channel.close();
  },
  close: (connection) => connection.close(),
};
