"""PyPI's py-eureka-client: says every second in a line of JSON which applications it sees, and how many of each."""
import json
import sys
import time

import py_eureka_client.eureka_client as eureka

eureka.init(
    eureka_server=",".join(f"{url}/eureka/" for url in sys.argv[1:]),
    app_name="py-app",
    instance_port=9300,
    instance_ip="127.0.0.1",
    instance_host="py-host",
    renewal_interval_in_secs=2,
    duration_in_secs=30,
)
while True:
    time.sleep(1)
    apps = eureka.get_client().applications.applications
    print(json.dumps({app.name: len(app.up_instances) for app in apps}), flush=True)
