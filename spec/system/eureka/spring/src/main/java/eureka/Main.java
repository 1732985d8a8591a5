package eureka;

import java.util.stream.Collectors;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalancerClient;

/** Spring's client: says every second in a line of JSON which services it sees, and can choose an instance of. */
@SpringBootApplication
public class Main {
  Main(DiscoveryClient client, LoadBalancerClient balancer) {
    Thread telling = new Thread(() -> {
      while (true) {
        System.out.println(client.getServices().stream()
            .filter(name -> balancer.choose(name) != null)
            .map(name -> "\"" + name.toUpperCase() + "\":" + client.getInstances(name).size())
            .collect(Collectors.joining(",", "{", "}")));
        try {
          Thread.sleep(1000);
        } catch (InterruptedException e) {
          return;
        }
      }
    });
    telling.setDaemon(true);
    telling.start();
  }

  public static void main(String[] args) {
    SpringApplication.run(Main.class, args);
  }
}
