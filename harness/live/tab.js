// On Locust's own page: the way to /chaos, and the token with every request to this server. What Locust's page asks
// for is asked by fetch or XMLHttpRequest, so both get it here, once.
"use strict";
(() => {
  const token = document.querySelector('meta[name="logquake-token"]').content;
  const own = (url) => new URL(url, location.href).origin === location.origin;

  const plainFetch = window.fetch;
  window.fetch = (resource, options) => {
    const request = new Request(resource, options);
    if (own(request.url)) request.headers.set("X-Logquake-Token", token);
    return plainFetch(request);
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...rest);
    if (own(url)) this.setRequestHeader("X-Logquake-Token", token);
  };

  addEventListener("DOMContentLoaded", () => {
    const tab = document.createElement("a");
    tab.href = "/chaos";
    tab.id = "logquake-tab";
    tab.textContent = "Chaos: faults and what is lost";
    tab.style.cssText =
      "position:fixed;left:50%;bottom:14px;transform:translateX(-50%);z-index:9999;padding:10px 18px;border-radius:22px;" +
      "font:600 15px system-ui,sans-serif;color:#fff;background:#b3300c;text-decoration:none;box-shadow:0 2px 10px #0006";
    document.body.append(tab);
  });
})();
