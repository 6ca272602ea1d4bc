// Search in pages that are opened from the disk: there browsers start no worker, so its script runs in a hidden frame.
if (location.protocol === "file:") {
  const load = (frame, source) =>
    new Promise((done, failed) => {
      const script = frame.document.createElement("script");
      Object.assign(script, { src: source, onload: done, onerror: failed });
      frame.document.body.append(script);
    });
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(source) {
      super();
      this.element = document.createElement("iframe");
      this.element.hidden = true;
      document.body.append(this.element);
      this.frame = this.element.contentWindow;
      this.frame.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.frame.importScripts = async (...sources) => {
        for (const each of sources) await load(this.frame, each);
      };
      this.loaded = load(this.frame, source);
    }
    async postMessage(data) {
      await this.loaded;
      this.frame.dispatchEvent(new MessageEvent("message", { data }));
    }
    terminate() {
      this.element.remove();
    }
  };
}
