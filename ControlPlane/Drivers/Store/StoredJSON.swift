// SPDX-License-Identifier: Apache-2.0
// Grants and accounting records as the JSON that their synthesized coding reads. A test compares both for every property.

import BNGCore
import Subscribers

extension ServiceGrant {
    var json: JSONWriter {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.member("source", self.source.rawValue)
            json.member("userName", self.userName)
            json.member("requestedName", self.requestedName)
            json.member("plan", self.plan)
            json.text("address", self.address)
            json.member("prefixLength", self.prefixLength)
            json.member("pool", self.pool)
            json.array("routes", self.routes) { $0.element($1.description) }
            json.array("dns", self.dns) { $0.element($1.description) }
            if let forwards = self.forwards { json.array("forwards", forwards) { $0.element($1.description) } }
            if let ipv6 = self.ipv6 { json.object("ipv6", ipv6.write) }
            json.member("sessionTimeout", self.sessionTimeout?.value)
            json.member("idleTimeout", self.idleTimeout?.value)
            json.member("interimInterval", self.interimInterval?.value)
            json.member("terminationAction", self.terminationAction.rawValue)
            json.member("filter", self.filter)
            json.member("portLimit", self.portLimit)
            if let rate = self.rateUp { json.object("rateUp", rate.write) }
            if let rate = self.rateDown { json.object("rateDown", rate.write) }
            json.array("classes", self.classes) { $0.element($1) }
            json.member("chargeableUser", self.chargeableUser)
            json.member("state", self.state)
            json.member("replyMessage", self.replyMessage)
            json.member("authenticationMessage", self.authenticationMessage)
        }
        return json
    }
}

extension IPv6Grant {
    fileprivate func write(_ json: inout JSONWriter) {
        json.text("linkPrefix", self.linkPrefix)
        json.text("address", self.address)
        json.text("delegatedPrefix", self.delegatedPrefix)
        json.member("interfaceID", self.interfaceID)
        json.member("linkPool", self.linkPool)
        json.member("addressPool", self.addressPool)
        json.member("delegationPool", self.delegationPool)
        json.array("routes", self.routes) { $0.element($1.description) }
        json.array("dns", self.dns) { $0.element($1.description) }
        json.array("advertisedRoutes", self.advertisedRoutes) { $0.element($1.description) }
    }
}

extension LineRate {
    fileprivate func write(_ json: inout JSONWriter) {
        json.member("bitsPerSecond", self.bitsPerSecond)
        json.member("burstBytes", self.burstBytes)
    }
}

extension AccountingRecord {
    var json: JSONWriter {
        var json = JSONWriter(capacity: 1_536)
        json.object { json in
            json.member("sequence", self.sequence)
            json.member("kind", self.kind.rawValue)
            json.member("accountingID", self.accountingID)
            json.member("session", self.session)
            json.member("userName", self.userName)
            json.object("facts", self.facts.write)
            json.member("address", self.address.description)
            json.array("classes", self.classes) { $0.element($1) }
            json.member("at", self.at.milliseconds)
            json.member("sessionStarted", self.sessionStarted.milliseconds)
            json.object("totals", self.totals.write)
            json.member("cause", self.cause?.rawValue)
            json.member("plan", self.plan)
            json.member("chargeableUser", self.chargeableUser)
            if let ipv6 = self.ipv6 { json.object("ipv6", ipv6.write) }
            json.member("interfaceID", self.interfaceID)
        }
        return json
    }
}

extension LineFacts {
    fileprivate func write(_ json: inout JSONWriter) {
        json.member("node", self.node)
        json.member("port", self.port)
        json.member("accessDomain", self.accessDomain)
        json.member("sVLAN", self.sVLAN)
        json.member("cVLAN", self.cVLAN)
        json.member("mac", self.mac.description)
        json.member("circuitID", self.circuitID)
        json.member("remoteID", self.remoteID)
        json.member("clientID", self.clientID)
        json.member("vendorClass", self.vendorClass)
        json.member("hostName", self.hostName)
        json.member("duid", self.duid)
        if let pppoe = self.pppoe {
            json.object("pppoe") { json in
                json.member("id", pppoe.id)
                json.member("service", pppoe.service)
            }
        }
    }
}

extension SessionTotals {
    fileprivate func write(_ json: inout JSONWriter) {
        json.member("upPackets", self.upPackets)
        json.member("upBytes", self.upBytes)
        json.member("downPackets", self.downPackets)
        json.member("downBytes", self.downBytes)
        json.member("droppedPackets", self.droppedPackets)
        json.object("ipv6") { json in
            json.member("upPackets", self.ipv6.upPackets)
            json.member("upBytes", self.ipv6.upBytes)
            json.member("downPackets", self.ipv6.downPackets)
            json.member("downBytes", self.ipv6.downBytes)
        }
    }
}

extension IPv6Details {
    fileprivate func write(_ json: inout JSONWriter) {
        if let link = self.link { json.object("link", link.write) }
        json.array("bindings", self.bindings) { json, binding in
            json.object { json in
                json.member("isDelegation", binding.isDelegation)
                json.member("iaid", binding.iaid)
                json.object("resource", binding.resource.write)
            }
        }
        json.member("clientID", self.clientID)
        json.member("requestedOptions", self.requestedOptions)
        json.member("expires", self.expires.milliseconds)
        json.array("stale", self.stale) { json, stale in
            json.object { json in
                json.member("prefix", stale.prefix.description)
                json.member("until", stale.until.milliseconds)
            }
        }
        json.member("origin", self.origin)
    }
}

extension IPv6Details.Resource {
    fileprivate func write(_ json: inout JSONWriter) {
        json.member("prefix", self.prefix.description)
        json.member("pool", self.pool)
    }
}
