// The search of a site that lies on a disk: browsers start no workers of files, so it runs in a hidden frame.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.appendChild(frame)
      this.scope = frame.contentWindow
      this.scope.document.open()
      this.scope.document.write("<body></body>")
      this.scope.document.close()
      this.scope.postMessage = (data) => {
        const told = new MessageEvent("message", { data })
        this.dispatchEvent(told)
        if (this.onmessage) this.onmessage(told)
      }
      const script = this.scope.document.createElement("script")
      this.ready = new Promise((resolve) => (script.onload = resolve))
      script.src = url
      this.scope.document.body.appendChild(script)
    }
    postMessage(data) {
      this.ready.then(() => this.scope.dispatchEvent(new MessageEvent("message", { data })))
    }
    terminate() {}
  }
