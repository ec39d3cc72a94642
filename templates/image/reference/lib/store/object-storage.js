'use strict';
// Object storage: the service's own bucket asked for over verified TLS, signed with its key (AWS Signature Version
// 4). Nothing is written: every object would stay as a version.

const https = require('node:https');
const { createHash, createHmac } = require('node:crypto');

const ALGORITHM = 'AWS4-HMAC-SHA256';
const EMPTY = createHash('sha256').digest('hex'); // of a request without a body
const REASONS = { 403: 'its key does not open it, or the clock is wrong', 404: 'there is none of this name' };

function signed(url, { region, key, secret }) {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), region, 's3', 'aws4_request'];
  const headers = { host: url.host, 'x-amz-content-sha256': EMPTY, 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
  const asked = createHash('sha256').update(['HEAD', url.pathname, '', lines, names, EMPTY].join('\n')).digest('hex');
  const hmac = (by, text) => createHmac('sha256', by).update(text).digest();
  const text = [ALGORITHM, time, scope.join('/'), asked].join('\n');
  const signature = hmac(scope.reduce(hmac, `AWS4${secret}`), text).toString('hex');
  const credential = [key, ...scope].join('/');
  return { ...headers, authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

module.exports = {
  async open(endpoint, { bucket }) {
    if (!Object.values(bucket).every(Boolean)) {
      throw new Error('S3_BUCKET, S3_REGION, AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not in the environment');
    }
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    return { agent, url: new URL(`${endpoint}/${bucket.name}`) };
  },
  check: ({ agent, url }, { bucket }) => new Promise((resolve, reject) => {
    const request = https.request(url, { method: 'HEAD', agent, headers: signed(url, bucket) }, (response) => {
      const { statusCode } = response;
      response.resume();
      if (statusCode === 200) resolve();
      else reject(new Error(`bucket ${bucket.name}: answers ${statusCode}${statusCode in REASONS ? `, ${REASONS[statusCode]}` : ''}`));
    });
    request.on('error', reject);
    request.end();
  }),
  close: ({ agent }) => agent.destroy(),
};
