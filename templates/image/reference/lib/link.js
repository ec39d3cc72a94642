'use strict';
// One connection to one store: opened when first asked for, used again, closed after idling, replaced when broken.

const LIMIT_MS = 4_000; // of one question, connecting included
const IDLE_MS = 60_000;

function within(milliseconds, promise) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

class Link {
  /** `name` is a store of the platform; its module in ./store gives open, check and close. */
  constructor(name, settings) {
    this.name = name;
    this.settings = settings;
    this.handle = undefined;
  }

  /** Resolves when the store answered with this service's own credentials; rejects with the reason. */
  async ask() {
    await this.use((opened) => this.driver.check(opened, this.settings));
  }

  /** What `action` gives for the open connection; it may be called twice. */
  async use(action) {
    this.driver ??= require(`./store/${this.name}`); // only what this service uses takes memory
    const url = this.settings.urls[this.name];
    if (!url) throw new Error('no URL given for it in the environment');
    clearTimeout(this.idle);
    try {
      const used = this.handle !== undefined;
      try {
        return await this.once(url, action);
      } catch (error) {
        if (!used) throw error;
        return await this.once(url, action); // a store that was restarted in between is no failure
      }
    } finally {
      this.idle = setTimeout(() => this.drop(), IDLE_MS).unref();
    }
  }

  async once(url, action) {
    try {
      this.handle ??= this.driver.open(url, this.settings);
      const { handle } = this;
      return await within(LIMIT_MS, handle.then(action));
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  drop() {
    const { handle } = this;
    this.handle = undefined;
    handle?.then((opened) => this.driver.close(opened)).catch(() => {}); // it is gone either way
  }
}

module.exports = { Link };
