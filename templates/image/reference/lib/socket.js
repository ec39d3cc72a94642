'use strict';
// WebSocket: greets with who it is and echoes, so that upgrades through router and edge can be proven.

const { settings } = require('./settings');

let server; // made at the first upgrade: most services never see one

function accept(socket, request) {
  socket.send(JSON.stringify({ service: settings.service, release: settings.release, path: request.url }));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.on('error', () => {}); // 'close' follows
}

function upgrade(request, socket, head) {
  if (!server) {
    const { WebSocketServer } = require('ws');
    server = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  }
  server.handleUpgrade(request, socket, head, (opened) => accept(opened, request));
}

/** Tells every client that the service goes away (1001), so that it can connect to another task. */
function closeSockets() {
  for (const client of server?.clients ?? []) client.close(1001, 'going away');
}

module.exports = { upgrade, closeSockets };
