'use strict';
// Uses stores as an ordinary program does, with the environment that it finds and nothing else:
//   node stores.js postgresql redis
// Prints {"LIBRARY by VARIABLE": {tls, milliseconds} or {error}}: what was written is read again and removed, and every
// connection to a store was encrypted to a server that Node.js itself found to be the right one.

const assert = require('node:assert/strict');
const net = require('node:net');
const tls = require('node:tls');

const { env } = process;
const SECONDS = 15;
const mark = `driver-test-${process.pid}-${Date.now()}`;

const USES = {
  postgresql: {
    'pg by DATABASE_URL': () => table({ connectionString: env.DATABASE_URL }),
    'pg by PG*': () => table(),
    'pg by DB_*': () => table({
      host: env.DB_HOST, port: env.DB_PORT, database: env.DB_NAME, user: env.DB_USER, password: env.DB_PASSWORD,
    }),
  },
  redis: {
    'redis by REDIS_URL': async (failed) => {
      const client = require('redis').createClient({ url: env.REDIS_URL }).on('error', failed);
      try {
        await key(await client.connect());
      } finally {
        client.destroy();
      }
    },
    'ioredis by REDIS_URL': async (failed) => {
      const Redis = require('ioredis');
      const client = new Redis(env.REDIS_URL).on('error', failed);
      try {
        await key(client);
      } finally {
        client.disconnect();
      }
    },
  },
  rabbitmq: {
    'amqplib by AMQP_URL': () => queue(env.AMQP_URL),
    'amqplib by RABBITMQ_URL': () => queue(env.RABBITMQ_URL),
  },
  'object-storage': { 'client-s3 by AWS_*': object },
};

async function table(options) {
  const { Pool } = require('pg');
  const pool = new Pool(options);
  try {
    const client = await pool.connect();
    await client.query('begin');
    await client.query('create temporary table driver_test (value text) on commit drop');
    await client.query('insert into driver_test values ($1)', [mark]);
    const { rows } = await client.query('select value from driver_test');
    await client.query('commit');
    client.release();
    assert.deepEqual(rows, [{ value: mark }]);
  } finally {
    await pool.end();
  }
}

async function key(client) {
  const name = `${env.REDIS_KEY_PREFIX}${mark}`;
  await client.set(name, mark);
  assert.equal(await client.get(name), mark);
  assert.equal(await client.del(name), 1);
}

async function queue(url) {
  const connection = await require('amqplib').connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const made = await channel.assertQueue('', { exclusive: true, autoDelete: true });
    channel.sendToQueue(made.queue, Buffer.from(mark));
    await channel.waitForConfirms();
    const message = await new Promise((arrived) => { channel.consume(made.queue, arrived, { noAck: true }); });
    assert.equal(message.content.toString(), mark);
  } finally {
    await connection.close();
  }
}

async function object() {
  const { S3Client, PutObjectCommand, GetObjectCommand, DeleteObjectCommand } = require('@aws-sdk/client-s3');
  const client = new S3Client({});
  const place = { Bucket: env.S3_BUCKET, Key: mark };
  try {
    const { VersionId } = await client.send(new PutObjectCommand({ ...place, Body: mark }));
    const { Body } = await client.send(new GetObjectCommand(place));
    assert.equal(await Body.transformToString(), mark);
    await client.send(new DeleteObjectCommand({ ...place, VersionId }));
  } finally {
    client.destroy();
  }
}

// Every connection of this process: those that TLS was begun on, and those that were opened.
const secured = [];
const opened = [];
const { connect } = tls;
tls.connect = (...options) => {
  const socket = connect(...options);
  secured.push({ socket, below: options[0]?.socket });
  return socket.once('secureConnect', () => { socket.saidProtocol = socket.authorized && socket.getProtocol(); });
};
const open = net.Socket.prototype.connect;
net.Socket.prototype.connect = function recorded(...options) {
  opened.push(this);
  return open.apply(this, options);
};

async function attempt(use) {
  secured.length = opened.length = 0;
  const began = Date.now();
  let timer;
  try {
    await Promise.race([
      new Promise((_, failed) => { Promise.resolve(use(failed)).then(_, failed); }),
      new Promise((_, failed) => { timer = setTimeout(failed, SECONDS * 1000, new Error(`not within ${SECONDS} s`)); }),
    ]);
    const plain = opened.filter((one) => !secured.some(({ socket, below }) => one === socket || one === below));
    assert.equal(plain.length, 0, 'a connection without TLS');
    const protocols = [...new Set(secured.map(({ socket }) => socket.saidProtocol))];
    assert.ok(protocols.length && protocols.every(Boolean), 'a server that was not verified');
    return { tls: protocols.join(), milliseconds: Date.now() - began };
  } catch (error) {
    return { error: `${error.code ?? error.name}: ${error.message}` };
  } finally {
    clearTimeout(timer);
  }
}

(async () => {
  const answers = {};
  for (const store of process.argv.slice(2)) {
    for (const [name, use] of Object.entries(USES[store])) answers[name] = await attempt(use);
  }
  process.stdout.write(JSON.stringify(answers), () => process.exit());
})();
