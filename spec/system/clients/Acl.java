import com.ecwid.consul.v1.ConsulClient;
import com.ecwid.consul.v1.OperationException;
import com.ecwid.consul.v1.acl.model.Acl;
import com.ecwid.consul.v1.acl.model.AclType;
import com.ecwid.consul.v1.acl.model.NewAcl;
import com.ecwid.consul.v1.acl.model.UpdateAcl;
import java.util.List;

/** What a program in Java asks of access control: every call that com.ecwid.consul:consul-api has, unchanged. */
class AclConversation {
    public static void main(String[] args) {
        int port = Integer.parseInt(System.getenv("CONSUL_HTTP_ADDR").split(":")[1]);
        String boss = System.getenv("BOSS");
        ConsulClient client = new ConsulClient("127.0.0.1", port);

        NewAcl wanted = new NewAcl();
        wanted.setName("old");
        wanted.setType(AclType.CLIENT);
        wanted.setRules("key \"a\" { policy = \"write\" }");
        String id = client.aclCreate(wanted, boss).getValue();
        demand("aclCreate", id != null && id.length() == 36, id);

        Acl read = client.getAcl(id).getValue();
        demand("getAcl", read.getName().equals("old") && read.getType() == AclType.CLIENT, read);
        demand("its rights", client.setKVValue("a", "x", id, null).getValue(), "a write");
        refused("more than its rights", () -> client.setKVValue("b", "x", id, null));

        UpdateAcl change = new UpdateAcl();
        change.setId(id);
        change.setName("older");
        change.setType(AclType.CLIENT);
        change.setRules("key \"b\" { policy = \"write\" }");
        client.aclUpdate(change, boss);
        demand("aclUpdate", client.getAcl(id).getValue().getName().equals("older"), "its name");

        String copy = client.aclClone(id, boss).getValue();
        demand("aclClone", client.setKVValue("b", "x", copy, null).getValue(), copy);

        List<Acl> all = client.getAclList(boss).getValue();
        demand("getAclList", all.stream().anyMatch((each) -> each.getId().equals(copy)), all);
        refused("getAclList of anybody's", () -> client.getAclList(id));

        client.aclDestroy(id, boss);
        refused("aclDestroy", () -> client.setKVValue("b", "x", id, null));
    }

    private static void demand(String name, boolean holds, Object what) {
        if (!holds) throw new IllegalStateException(name + ": got " + what);
        System.out.println("ok " + name);
    }

    private static void refused(String name, Runnable call) {
        try {
            call.run();
        } catch (OperationException refusal) {
            demand(name, refusal.getStatusCode() == 403, refusal);
            return;
        }
        throw new IllegalStateException(name + " was not refused");
    }
}
