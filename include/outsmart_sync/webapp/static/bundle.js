// Shows the page inside Airflow's frame. Airflow's own iframe for plugins is sandboxed and could not leave for a login
// page; this one is not. https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/plugins.html
const create = globalThis.React.createElement;
const home = new URL("outsmart-sync/", document.baseURI);

function pageAddress() {
  const asked = new URL(new URLSearchParams(window.location.search).get("page") || "", home);
  const ours = asked.origin === home.origin && asked.pathname.startsWith(home.pathname);
  return ours ? asked.href : home.href;
}

function OutSmart() {
  const [address] = globalThis.React.useState(pageAddress);
  return create("iframe", {
    src: address,
    title: "Software integrations",
    style: { border: "none", display: "block", height: "100%", minHeight: "70vh", width: "100%" },
  });
}

globalThis["OutSmart"] = OutSmart;
globalThis.AirflowPlugin = OutSmart;
export default OutSmart;
