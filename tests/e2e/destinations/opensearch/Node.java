// SPDX-License-Identifier: Apache-2.0
// One OpenSearch node on loopback: Node DIRECTORY HTTP-PORT TRANSPORT-PORT. Ends with its standard input.
import org.codelibs.opensearch.runner.OpenSearchRunner;

public class Node {
    public static void main(String[] arguments) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("http.port", arguments[1]);
            settings.put("transport.port", arguments[2]);
            settings.put("network.host", "127.0.0.1");
            settings.put("discovery.type", "single-node");
        });
        runner.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).numOfNode(1)
                .clusterName("e2e").printOnFailure());
        while (System.in.read() >= 0) {
        }
        runner.close();
    }
}
