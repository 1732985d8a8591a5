import com.ecwid.consul.v1.ConsulClient;
import com.ecwid.consul.v1.QueryParams;
import com.ecwid.consul.v1.acl.model.AclType;
import com.ecwid.consul.v1.acl.model.NewAcl;
import com.ecwid.consul.v1.acl.model.UpdateAcl;
import com.ecwid.consul.v1.agent.model.NewCheck;
import com.ecwid.consul.v1.agent.model.NewService;
import com.ecwid.consul.v1.catalog.model.CatalogDeregistration;
import com.ecwid.consul.v1.catalog.model.CatalogRegistration;
import com.ecwid.consul.v1.health.model.Check;
import com.ecwid.consul.v1.session.model.NewSession;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Calls every method that ConsulClient of com.ecwid.consul:consul-api has, with each list of parameters that it
 * takes, and says of each what came: a line of JSON. What there is to call is asked of the class.
 */
class Every {
    /** What makes things comes first, and what takes them away last; the rest in any order between. */
    private static final List<String> FIRST = List.of(
        "aclCreate", "agentServiceRegister", "agentCheckRegister", "catalogRegister", "setKVValue",
        "setKVBinaryValue", "sessionCreate", "eventFire");
    private static final List<String> LAST = List.of(
        "deleteKVValue", "deleteKVValues", "sessionDestroy", "agentCheckDeregister",
        "agentServiceDeregister", "catalogDeregister", "aclDestroy", "agentForceLeave");

    private static final String BOSS = System.getenv("BOSS");
    private static ConsulClient client;
    private static String acl = "";
    private static String session = "";
    private static String lan = "";

    public static void main(String[] args) throws Exception {
        String address = System.getenv("CONSUL_HTTP_ADDR");
        client = new ConsulClient("127.0.0.1", Integer.parseInt(address.split(":")[1]));
        ask(address, "POST", "/v1/query", "{\"Name\":\"java\",\"Service\":{\"Service\":\"java\"}}");
        ask(address, "PUT", "/v1/catalog/register", "{\"Node\":\"there\",\"Address\":\"10.0.0.1\"}");
        String self = ask(address, "GET", "/v1/agent/self", "");
        lan = "127.0.0.1:" + self.replaceAll("(?s).*\"SerfPortLAN\":\\s*(\\d+).*", "$1");
        List<Method> methods = Arrays.stream(ConsulClient.class.getDeclaredMethods())
            .filter((each) -> java.lang.reflect.Modifier.isPublic(each.getModifiers()) && !each.isSynthetic())
            .sorted(Comparator.comparingInt(Every::turn)
                .thenComparing(Method::getName)
                .thenComparing((each) -> each.getParameterCount())
                .thenComparing(Method::toString))
            .collect(Collectors.toList());
        for (Method method : methods) call(method);
    }

    private static int turn(Method method) {
        int first = FIRST.indexOf(method.getName());
        int last = LAST.indexOf(method.getName());
        if (first >= 0) return first;
        return last >= 0 ? 1000 + last : 500;
    }

    private static void call(Method method) throws Exception {
        String fault = "";
        try {
            if (method.getName().startsWith("agentCheckDe")) client.agentCheckRegister(check(), BOSS);
            if (method.getName().startsWith("agentServiceDe")) client.agentServiceRegister(service(), BOSS);
            Object response = method.invoke(client, arguments(method));
            Object value = response.getClass().getMethod("getValue").invoke(response);
            if (method.getName().equals("aclCreate")) acl = (String) value;
            if (method.getName().equals("sessionCreate")) session = (String) value;
        } catch (InvocationTargetException error) {
            fault = String.valueOf(error.getCause().getMessage());
        }
        String types = Arrays.stream(method.getParameterTypes())
            .map((type) -> type.isArray() ? type.getComponentType().getSimpleName() + "s" : type.getSimpleName())
            .collect(Collectors.joining("."));
        String name = method.getName() + (types.isEmpty() ? "" : "." + types);
        System.out.println("{\"method\":" + quoted(name) + ",\"fault\":" + quoted(fault) + "}");
    }

    private static Object[] arguments(Method method) throws Exception {
        Class<?>[] types = method.getParameterTypes();
        Object[] values = new Object[types.length];
        for (int at = 0; at < types.length; at++) values[at] = argument(method.getName(), types, at);
        return values;
    }

    private static Object argument(String method, Class<?>[] types, int at) throws Exception {
        Class<?> type = types[at];
        // Beyond what a method is about, a text is a token, or something that may be any text.
        boolean isSubject = at == 0;
        if (type == String.class) return isSubject && !method.equals("getAclList") ? subject(method) : BOSS;
        if (type == boolean.class) return !method.contains("Maintenance");
        if (type == QueryParams.class) return QueryParams.DEFAULT;
        if (type == String[].class) return new String[] {"v1"};
        if (type == byte[].class) return new byte[] {0, (byte) 255};
        if (type == NewService.class) return service();
        if (type == NewCheck.class) return check();
        if (type == Check.CheckStatus.class) return Check.CheckStatus.PASSING;
        if (type == NewAcl.class) {
            NewAcl made = new NewAcl();
            made.setName("old");
            made.setType(AclType.CLIENT);
            return made;
        }
        if (type == UpdateAcl.class) {
            UpdateAcl made = new UpdateAcl();
            made.setId(acl);
            made.setType(AclType.CLIENT);
            return made;
        }
        if (type == CatalogRegistration.class) {
            CatalogRegistration made = new CatalogRegistration();
            made.setNode("java");
            made.setAddress("10.0.0.2");
            return made;
        }
        if (type == CatalogDeregistration.class) {
            CatalogDeregistration made = new CatalogDeregistration();
            made.setNode("java");
            return made;
        }
        if (type == NewSession.class) {
            NewSession made = new NewSession();
            made.setNode("there");
            made.setChecks(List.of());
            made.setTtl("60s");
            return made;
        }
        for (Method each : type.getMethods()) {
            if (!each.getName().equals("newBuilder")) continue;
            Object builder = each.invoke(null);
            return builder.getClass().getMethod("build").invoke(builder);
        }
        return type.getDeclaredConstructor().newInstance();
    }

    private static String subject(String method) {
        if (method.contains("ession")) return method.equals("getSessionNode") ? "there" : session;
        if (method.toLowerCase().startsWith("acl") || method.equals("getAcl")) return acl;
        if (method.equals("getAgentSelf")) return BOSS;
        if (method.equals("agentJoin")) return lan;
        if (method.equals("agentForceLeave")) return "nobody";
        return "java";
    }

    private static NewService service() {
        NewService made = new NewService();
        made.setName("java");
        made.setId("java");
        made.setPort(80);
        made.setTags(List.of("v1"));
        return made;
    }

    private static NewCheck check() {
        NewCheck made = new NewCheck();
        made.setName("java");
        made.setId("java");
        made.setTtl("60s");
        return made;
    }

    private static String ask(String address, String method, String path, String body) throws Exception {
        HttpURLConnection asked = (HttpURLConnection) new URL("http://" + address + path).openConnection();
        asked.setRequestMethod(method);
        asked.setRequestProperty("X-Consul-Token", BOSS);
        if (!body.isEmpty()) {
            asked.setDoOutput(true);
            try (OutputStream out = asked.getOutputStream()) {
                out.write(body.getBytes("UTF-8"));
            }
        }
        // Throws where it is no 200.
        return new String(asked.getInputStream().readAllBytes(), "UTF-8");
    }

    private static String quoted(String text) {
        String plain = text.replace("\\", "\\\\").replace("\"", "\\\"");
        return "\"" + plain.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + "\"";
    }
}
