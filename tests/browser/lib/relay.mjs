/** A long way between pages and server: what goes through it takes its time, and may come from elsewhere. */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { pause } from './runner.mjs';

/** A TCP and a TLS handshake before the first byte, as a page over https needs them. */
const OPENING_TRIPS = 2;

/** Carries TCP to `http` and UDP to `media`, ports of 127.0.0.1, each way in half of `tripMs`. */
export class Relay {
  constructor({ http, media, tripMs }) {
    Object.assign(this, { http, media, tripMs, closed: false, ways: new Map(), sockets: new Set() });
    /** The share of the pages' media that is lost on its way up. */
    this.loses = 0;
  }

  async start() {
    this.tcp = createServer({ allowHalfOpen: true }, socket => this.carry(socket));
    await new Promise(resolve => this.tcp.listen(0, '127.0.0.1', resolve));
    this.udp = createSocket('udp4');
    await new Promise(resolve => this.udp.bind(0, '127.0.0.1', resolve));
    this.udp.on('message', (data, from) => {
      if (Math.random() < this.loses) return;
      this.later(() => this.wayOf(from.port).send(data, this.media, '127.0.0.1'));
    });
    this.origin = `http://127.0.0.1:${this.tcp.address().port}`;
    return this;
  }

  link(site) {
    return `${this.origin}/#${site.token}`;
  }

  /** A NAT forgets: from now on every page's media comes from another port. */
  rebind() {
    for (const way of this.ways.values()) way.close();
    this.ways.clear();
  }

  later(then) {
    setTimeout(() => this.closed || then(), this.tripMs / 2);
  }

  /** The socket that stands for a page's port on the server's side. */
  wayOf(port) {
    if (!this.ways.has(port)) {
      const way = createSocket('udp4');
      way.on('message', data => this.later(() => this.udp.send(data, port, '127.0.0.1')));
      this.ways.set(port, way);
    }
    return this.ways.get(port);
  }

  async carry(page) {
    const server = connect({ port: this.http, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [page, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    page.pause();
    await pause(OPENING_TRIPS * this.tripMs);
    for (const [from, to] of [
      [page, server],
      [server, page],
    ]) {
      from.on('data', data => this.later(() => to.destroyed || to.write(data)));
      from.on('end', () => this.later(() => to.end()));
      from.on('close', () => this.later(() => to.destroy()));
    }
    page.resume();
  }

  async close() {
    this.closed = true;
    for (const socket of this.sockets) socket.destroy();
    this.rebind();
    this.udp.close();
    await new Promise(resolve => this.tcp.close(resolve));
  }
}
