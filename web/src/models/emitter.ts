import Backbone from 'backbone';

class Plain {}
Object.assign(Plain.prototype, Backbone.Events);

const WithEvents = Plain as new () => Plain & Backbone.EventsMixin;

/** Something that tells events and is no Backbone model: its classes may have initialised fields. */
export class Emitter extends WithEvents {}
